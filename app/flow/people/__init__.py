"""How people prove who they are: passwords, second factors, one-time links, an identity provider.

`sign_in` decides; `passwords`, `totp`, `throttle` and `provider` are what it decides by.
"""

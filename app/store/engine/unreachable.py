"""What is a database called that cannot be used now?"""


class Unreachable(ConnectionError):
    """The database cannot be reached or used, or did not answer in time. Whether the last thing asked for was done is
    not known; asking for it again does no harm."""

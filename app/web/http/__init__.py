"""What every route shares: access, sessions, problems, bodies, responses, middleware, the live hub."""

"""What every route shares: authorization, sessions, problems, bodies, responses, middleware, the live stream."""

"""What browsers and other clients of HTTP get: the only package that knows starlette."""

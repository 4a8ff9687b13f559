"""The HTTP API: one router per resource, listed in `application.ROUTERS`; who may call what stands in `access`."""

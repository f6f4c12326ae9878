"""What can be asked for over HTTP, and the answers. docs/http.md lists it.

    routes      each reads its query, asks the module that knows, and answers
    aliases     addresses by which other servers' clients ask; pure
    queries     what may stand in a query string; pure
    state       the JSON that tells of cameras; pure
    generators  streams, where no event loop can take them over

Holds no connection and keeps nothing between requests. May ask every other package, and none asks
it; it knows no gunicorn.
"""

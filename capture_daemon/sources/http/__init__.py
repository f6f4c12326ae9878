"""The `http` source: another server's pictures. Of it only source.py is for others.

From outside inwards: URL (target, trust, auth), connection and client, the response as it comes in
(response_parser, body, multipart), pictures. Parsers know no socket and no time. What a failure
means is errors.py's alone. It may not know of any other kind of source.
"""

"""The HTTP API and the page: a thin skin over one `Bot` (needs `article-qa[serve]`).

settings   where it listens, who may ask, how long and how much
guard      what stands before everything: Host, Origin, token, sizes, times, headers
problems   what went wrong, as RFC 9457 has it
api        the endpoints
openapi    their description
page/      the page, as it is sent
running    sockets, processes, and the words on the terminal
"""

"""HTTP as plain values: a request in, a response out. No server, no framework; `routes.Api` is the way in."""

"""Feeds and folders that are watched: what is new in them is briefed once, and delivered.

    depesche watch feeds.toml

A skin over the client. All that happens is a job that the state, a file of SQLite, says is due:
a look at a source, a release to brief, a brief to deliver. Whatever ends the process, the state
tells the next one what is left.
"""

"""Jobs: work asked for over HTTP that takes longer than a request, done by a process of its own.

    route ─ kinds (check, pin) ─ JobStore ─ queue (DBOS) ┄┄┄ worker ─ Task ─ a kind's work ─ outcome
                                    │                           │
                                    └────── DATA/jobs/ID/ ──────┘   what is asked, how far it is, parts

The queue, who works on what, and how it ended are DBOS's, on SQLite or PostgreSQL (docs/adr/0008). Everything large is
a file below `COGNOMEN_DATA`, written so that whoever is killed at any moment can go on where it was.

    queue.py        what waits and how it ended     engine.py     DBOS, as little of it as is needed
    store.py        jobs as a client sees them
    kinds.py        which kinds there are: what each checks when asked for, what each does
    task.py         what a kind's work is given: input, progress, whether to stop
    running.py      run: lines in, lines out        indexing.py   index: a terminology's new generation
    learning.py     adapt, train                    wire_lines.py how a line is read and written
    sheets.py       PDFs as lines
    worker.py       the process, working.py one job supervisor.py starts it, and again when it dies
"""

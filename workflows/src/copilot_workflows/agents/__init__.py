"""Agents: what a model is asked, what of its answer may be shown, and what it may cost.

Theory of operation. Rules have decided and their words stand in the log before any model is asked.
A model may word the same facts better; it can add no fact, because nothing of it is shown that the
log does not prove.

    evidence     the book of an event as text: handles of events, typed values, texts of our tables
    budget       reserved in the ledger before a call, settled after it
    dispatcher   a cheap model: is a deeper look worth it, at which pages and with which questions
    researcher   a strong model: sentences with claims, from the evidence and read-only tools
    answers      handles become event ids, claims are recomputed, what is not backed is cut
    completion   what was cut, and the next step always, comes from the words of the rules

Whatever goes wrong on the way ends in the words of the rules, with a reason: `requests.Reason`.

Inside a workflow both agents are durable: each request to a model and each call of a tool is an
activity of its own. Outside of one (`agents.once`) they run as they are.
"""

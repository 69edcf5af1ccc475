"""Explanations: of every transition by rule, and by a model where one is configured.

Three processes, and none of them can change a status, a gate, an alert or an action: they append
to streams of their own kinds (`explanation/<cluster>`, `ledger/<cluster>`), which the fold never
reads.

    explainer   follows the log; appends revision 1 of each explanation, by rule; needs the log only
    trigger     follows the log; starts one Temporal workflow per transition, id = event id
    agents      the Temporal worker: workflows, their activities, the agents, retrieval

A folder per use case: `explain_transition`, `review_incident`, `assess_on_schedule`,
`sync_knowledge`. Workflow code coordinates and decides nothing but what to do next; whatever reads
or writes is an activity, and doing it twice is doing it once.
"""

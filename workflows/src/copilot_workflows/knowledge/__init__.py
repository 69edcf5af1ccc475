"""Knowledge: the pages that an on-call engineer, an agent and an explanation may look things up in.

    pages      one Markdown page: front matter, sections; what makes a page acceptable
    corpus     all pages, packed into one file with a digest; the shipped ones are `corpus.jsonl`
    port       what a knowledge base can do: search, sync
    local      full-text search in memory
    bedrock    Amazon Bedrock Knowledge Bases
    settings   which of them, and where

The pages are written in `docs/rag/`. They advise people; nothing here decides anything.
"""

"""Findings, plans and outcomes as text, JSON and Markdown. Pure."""

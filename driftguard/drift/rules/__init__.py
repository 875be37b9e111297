"""One rule a file: `dg102.py` holds DG102, `docs/rules/DG102.md` explains it. Codes never change their meaning.

DG1xx source → STAGING · DG2xx STAGING → FINAL · DG3xx merge, pipe, task · DG4xx DMS settings and mappings ·
DG5xx source health · DG6xx run-time evidence · DG7xx risk in a proposed change · DG8xx consumers and governance.
"""

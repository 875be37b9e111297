"""One change as data: precondition, SQL, effect on the estate, inverse, hazards. One file a kind. Pure."""

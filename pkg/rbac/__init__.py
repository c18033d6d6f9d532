"""Which role may do what: casbin in memory, following the policies as they change."""

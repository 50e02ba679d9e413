"""The wire: HTTP, jobs, batching of requests. Knows no domain."""

"""The only code that speaks SQL: tables, the database, and the queries, one module per thing that is kept.

Functions are synchronous over a Core connection and take every instant as a parameter. Rows are private to this
package: what leaves it are values of the core or the small frozen records defined beside the query.
"""

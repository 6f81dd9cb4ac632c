// Package pgrole knows whom PostgreSQL lets see every row.
package pgrole

// Unbound is a query for why policies of row-level security do not bind the role of
// the session, as a text. It has no row if they do.
const Unbound = `
select 'it is a superuser' from pg_catalog.pg_roles where rolname = current_user and rolsuper
union all
select 'it has BYPASSRLS' from pg_catalog.pg_roles where rolname = current_user and rolbypassrls
union all
(select 'it owns ' || c.oid::pg_catalog.regclass || ', which does not force row-level security on its owner'
	from pg_catalog.pg_class c
	where c.relrowsecurity and not pg_catalog.row_security_active(c.oid) and pg_catalog.pg_has_role(current_user, c.relowner, 'usage')
	order by c.oid limit 1)
limit 1`

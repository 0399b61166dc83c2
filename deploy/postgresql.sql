-- Airflow's database, once: sudo -u postgres psql --file deploy/postgresql.sql
-- with --set password=... ; the same password stands in /etc/komek/komek.env.
create role komek login password :'password';
create database airflow owner komek encoding 'UTF8' template template0;

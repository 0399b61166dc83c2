{{ accepted_rows('supply_contracts') }}

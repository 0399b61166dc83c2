{{ rejected_rows('supply_contracts') }}

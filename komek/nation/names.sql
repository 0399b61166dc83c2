-- Names to draw from, as lists: of women's last names that take an ending, with it.
set variable last_names_m = (select list(name order by name) from marginal_names
    where kind = 'last_name');
set variable last_names_f = (select list(name || coalesce(female, '') order by name)
    from marginal_names where kind = 'last_name');
set variable first_names_m = (select list(name order by name) from marginal_names
    where kind = 'first_name_m');
set variable first_names_f = (select list(name order by name) from marginal_names
    where kind = 'first_name_f');
set variable patronymics = (select list(name order by name) from marginal_names
    where kind = 'patronymic');
set variable streets = (select list(name order by name) from marginal_names
    where kind = 'street');

create macro one_of(names, i, what) as
    getvariable(names)[1 + pick(i, what, len(getvariable(names)))];
create macro last_name_of(hh, sex) as if(sex = 'M',
    one_of('last_names_m', hh, 'last name'), one_of('last_names_f', hh, 'last name'));
create macro first_name_of(i, sex) as if(sex = 'M',
    one_of('first_names_m', i, 'first name'), one_of('first_names_f', i, 'first name'));
create macro middle_name_of(i, father, sex) as
    case when draw(i, 'no patronymic') >= 0.1
        then one_of('patronymics', father, 'patronymic')
            || if(sex = 'M', 'ұлы', 'қызы')
    end;
create macro address_of(home) as
    'ул. ' || one_of('streets', home, 'street')
    || ', д. ' || (1 + pick(home, 'house', 180))
    || if(home % 3 = 0, '', ', кв. ' || (1 + pick(home, 'flat', 120)));

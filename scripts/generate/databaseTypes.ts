/** TypeScript types of the schema public, read from the catalog of Postgres. */

/** As much of a connection as reading the catalog takes. */
interface Connection {
  query<Row>(text: string): Promise<Row[]>;
}

interface TableColumn {
  table: string;
  name: string;
  type: string;
  nullable: boolean;
  has_default: boolean;
}

interface ForeignKey {
  table: string;
  name: string;
  columns: string[];
  referenced_table: string;
  referenced_columns: string[];
  one_to_one: boolean;
}

interface DatabaseFunction {
  name: string;
  argument_names: string[];
  argument_types: string[];
  optional_arguments: number;
  returns: string;
  returns_set: boolean;
}

interface EnumType {
  name: string;
  labels: string[];
}

const COLUMNS = `
  select c.relname as "table", a.attname as name, t.typname as type, not a.attnotnull as nullable,
    (a.atthasdef or a.attidentity <> '') as has_default
  from pg_catalog.pg_attribute a
  join pg_catalog.pg_class c on c.oid = a.attrelid
  join pg_catalog.pg_type t on t.oid = a.atttypid
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
  order by c.relname collate "C", a.attname collate "C"`;

const FOREIGN_KEYS = `
  select c.relname as "table", k.conname as name, r.relname as referenced_table,
    to_json(array(select a.attname::text from unnest(k.conkey) with ordinality u (n, i)
      join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.n order by i)) as columns,
    to_json(array(select a.attname::text from unnest(k.confkey) with ordinality u (n, i)
      join pg_catalog.pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.n order by i)) as referenced_columns,
    exists (select from pg_catalog.pg_index i where i.indrelid = k.conrelid and i.indisunique and i.indpred is null
      and (select array_agg(n order by n) from unnest(i.indkey::int2[]) n) <@ k.conkey) as one_to_one
  from pg_catalog.pg_constraint k
  join pg_catalog.pg_class c on c.oid = k.conrelid
  join pg_catalog.pg_class r on r.oid = k.confrelid
  where k.contype = 'f' and c.relnamespace = 'public'::regnamespace and r.relnamespace = 'public'::regnamespace
  order by c.relname collate "C", k.conname collate "C"`;

const FUNCTIONS = `
  select p.proname as name, to_json(coalesce(p.proargnames, '{}')::text[]) as argument_names,
    to_json(array(select t.typname::text from unnest(p.proargtypes) with ordinality u (oid, i)
      join pg_catalog.pg_type t on t.oid = u.oid order by i)) as argument_types,
    p.pronargdefaults as optional_arguments, r.typname as returns, p.proretset as returns_set
  from pg_catalog.pg_proc p
  join pg_catalog.pg_type r on r.oid = p.prorettype
  where p.pronamespace = 'public'::regnamespace and p.prokind = 'f' and r.typname not in ('trigger', 'event_trigger')
  order by p.proname collate "C", p.oid`;

const ENUMS = `
  select t.typname as name, json_agg(e.enumlabel::text order by e.enumsortorder) as labels
  from pg_catalog.pg_type t join pg_catalog.pg_enum e on e.enumtypid = t.oid
  where t.typnamespace = 'public'::regnamespace group by t.typname order by t.typname collate "C"`;

const HEADER = `// Generated from supabase/migrations by scripts/generate/types.ts. Do not edit.

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];
`;

/** @returns the source text of the generated file. */
export async function databaseTypes(connection: Connection): Promise<string> {
  const columns = await connection.query<TableColumn>(COLUMNS);
  const foreignKeys = await connection.query<ForeignKey>(FOREIGN_KEYS);
  const functions = await connection.query<DatabaseFunction>(FUNCTIONS);
  const enums = await connection.query<EnumType>(ENUMS);
  const enumNames = new Set(enums.map(({ name }) => name));
  const tsType = (type: string) => typeOf(type, enumNames);

  const tables = [...new Set(columns.map(({ table }) => table))].map((table) => {
    const own = columns.filter((column) => column.table === table);
    return section(table, [
      section(
        'Row',
        own.map(({ name, type, nullable }) => `${name}: ${tsType(type)}${orNull(nullable)};`),
      ),
      section(
        'Insert',
        own.map(
          (column) =>
            `${column.name}${column.nullable || column.has_default ? '?' : ''}: ${tsType(column.type)}${orNull(column.nullable)};`,
        ),
      ),
      section(
        'Update',
        own.map(({ name, type, nullable }) => `${name}?: ${tsType(type)}${orNull(nullable)};`),
      ),
      relationships(foreignKeys.filter((key) => key.table === table)),
    ]);
  });

  return `${HEADER}
export type Database = ${block([
    section('public', [
      section('Tables', tables),
      section('Views', ['[_ in never]: never;']),
      section(
        'Functions',
        functions.map((each) => functionOf(each, tsType)),
      ),
      section('Enums', enums.length > 0 ? enums.map(enumOf) : ['[_ in never]: never;']),
      section('CompositeTypes', ['[_ in never]: never;']),
    ]),
  ])};
`;
}

function functionOf(each: DatabaseFunction, tsType: (type: string) => string): string {
  const required = each.argument_types.length - each.optional_arguments;
  const args = each.argument_types.map((type, index) => {
    const optional = index >= required ? '?' : '';
    return `${each.argument_names[index] ?? ''}${optional}: ${tsType(type)};`;
  });
  return section(each.name, [
    args.length > 0 ? section('Args', args) : 'Args: Record<PropertyKey, never>;',
    `Returns: ${tsType(each.returns)}${each.returns_set ? '[]' : ''};`,
  ]);
}

function relationships(keys: ForeignKey[]): string {
  if (keys.length === 0) return 'Relationships: [];';
  const list = (names: string[]) => `[${names.map((name) => `'${name}'`).join(', ')}]`;
  const items = keys.map((key) =>
    block([
      `foreignKeyName: '${key.name}';`,
      `columns: ${list(key.columns)};`,
      `isOneToOne: ${key.one_to_one};`,
      `referencedRelation: '${key.referenced_table}';`,
      `referencedColumns: ${list(key.referenced_columns)};`,
    ]),
  );
  return `Relationships: [\n${items.map((item) => indent(`${item},`)).join('\n')}\n];`;
}

function enumOf({ name, labels }: EnumType): string {
  return `${name}: ${labels.map((label) => `'${label}'`).join(' | ')};`;
}

function typeOf(type: string, enums: ReadonlySet<string>): string {
  if (type.startsWith('_')) return `${typeOf(type.slice(1), enums)}[]`;
  if (enums.has(type)) return `Database['public']['Enums']['${type}']`;
  switch (type) {
    case 'bool':
      return 'boolean';
    case 'int2':
    case 'int4':
    case 'int8':
    case 'float4':
    case 'float8':
    case 'numeric':
      return 'number';
    case 'json':
    case 'jsonb':
      return 'Json';
    case 'void':
      return 'undefined';
    case 'bytea':
    case 'date':
    case 'text':
    case 'timestamp':
    case 'timestamptz':
    case 'uuid':
    case 'varchar':
      return 'string';
    default:
      return 'unknown';
  }
}

function orNull(nullable: boolean): string {
  return nullable ? ' | null' : '';
}

function section(name: string, lines: string[]): string {
  return `${name}: ${block(lines)};`;
}

function block(lines: string[]): string {
  return `{\n${lines.map(indent).join('\n')}\n}`;
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}

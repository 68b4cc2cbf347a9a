import { invalid } from './errors.ts'
import type { Query } from './query.ts'

const PAGE = 1000

interface Asked {
  readonly MaxResults?: number
  readonly NextToken?: string
}

/** A page of GetQueryResults. The first row of a SELECT is its header, and counts. @throws AwsError */
export function page({ id, statement, rows, written }: Query, hasHeader: boolean, asked: Asked) {
  const { MaxResults: most = PAGE, NextToken: token } = asked
  if (rows === undefined) {
    const isCtas = statement.kind === 'ctas'
    const ColumnInfo = isCtas ? [columnInfo({ name: 'rows', type: 'bigint' })] : []
    return {
      ...(isCtas && { UpdateCount: written.rows }),
      ResultSet: { Rows: [], ResultSetMetadata: { ColumnInfo } },
    }
  }
  const all = [...(hasHeader ? [rows.columns.map(({ name }) => name)] : []), ...rows.rows]
  const from = token === undefined ? 0 : startOf(id, token)
  const next = from + most
  return {
    UpdateCount: 0,
    ResultSet: {
      Rows: all.slice(from, next).map((row) => ({
        Data: row.map((value) => (value === null ? {} : { VarCharValue: value })),
      })),
      ResultSetMetadata: { ColumnInfo: rows.columns.map(columnInfo) },
    },
    ...(next < all.length && { NextToken: Buffer.from(`${id} ${next}`).toString('base64') }),
  }
}

function startOf(id: string, token: string): number {
  const [of, from] = Buffer.from(token, 'base64').toString().split(' ')
  if (of !== id) throw invalid('Invalid NextToken')
  return Number(from)
}

const PRECISION: Readonly<Record<string, number>> = { varchar: 2_147_483_647, bigint: 19, integer: 10, double: 17 }

const columnInfo = ({ name, type }: { readonly name: string; readonly type: string }) => ({
  CatalogName: 'hive',
  SchemaName: '',
  TableName: '',
  Name: name,
  Label: name,
  Type: type,
  Precision: PRECISION[type] ?? 0,
  Scale: 0,
  Nullable: 'UNKNOWN',
  CaseSensitive: type === 'varchar',
})

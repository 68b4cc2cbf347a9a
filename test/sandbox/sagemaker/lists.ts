import { invalid } from './errors.ts'

interface Paging {
  readonly MaxResults?: number | undefined
  readonly NextToken?: string | undefined
}

/** A page of a list. @throws AwsError for a token that no page gave */
export function pageOf<T>(all: readonly T[], { MaxResults = 10, NextToken = '0' }: Paging) {
  const start = Number(NextToken)
  if (!Number.isInteger(start)) throw invalid(`Invalid NextToken: ${NextToken}`)
  const page = all.slice(start, start + MaxResults)
  return { page, next: start + page.length < all.length ? String(start + page.length) : undefined }
}

/** The filters of lists; times are seconds. */
interface Query extends Paging {
  readonly NameContains?: string
  readonly StatusEquals?: string
  readonly SortBy?: string
  readonly SortOrder?: string
  readonly CreationTimeAfter?: number
  readonly CreationTimeBefore?: number
  readonly LastModifiedTimeAfter?: number
  readonly LastModifiedTimeBefore?: number
}

interface Listed {
  readonly name: string
  readonly created: number
  readonly modified?: number
  readonly status?: string
}

const within = (time: number, after = Number.NEGATIVE_INFINITY, before = Number.POSITIVE_INFINITY): boolean =>
  time >= after && time <= before

/** The page of resources that a List operation asks for: latest first, unless it says otherwise. */
export function listOf<T extends Listed>(all: Iterable<T>, input: object) {
  const query = input as Query
  const found = [...all].filter(
    ({ name, status, created, modified = created }) =>
      name.toLowerCase().includes((query.NameContains ?? '').toLowerCase()) &&
      (query.StatusEquals === undefined || status === query.StatusEquals) &&
      within(created, query.CreationTimeAfter, query.CreationTimeBefore) &&
      within(modified, query.LastModifiedTimeAfter, query.LastModifiedTimeBefore),
  )
  const { SortBy = 'CreationTime', SortOrder = SortBy === 'Name' ? 'Ascending' : 'Descending' } = query
  const key = ({ name, status = '' }: T) => (SortBy === 'Name' ? name : SortBy === 'Status' ? status : '')
  // A stable sort: resources that were created in the same second keep their order.
  const sorted = found.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a.created - b.created))
  return pageOf(SortOrder === 'Ascending' ? sorted : sorted.reverse(), query)
}

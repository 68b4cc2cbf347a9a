/** A shape of an AWS API, whatever file its description came from. */
export interface Shape {
  readonly name: string
  readonly kind:
    | 'structure'
    | 'list'
    | 'map'
    | 'string'
    | 'number'
    | 'integer'
    | 'boolean'
    | 'timestamp'
    | 'blob'
    | 'any'
  /** Of a structure, by member name. */
  readonly members: Readonly<Record<string, Member>>
  readonly required: readonly string[]
  /** Of a list or a map. */
  readonly item?: Member
  readonly enum?: readonly string[]
  readonly pattern?: RegExp
  /** Length of strings (code points), lists, maps and blobs; value of numbers. */
  readonly min?: number
  readonly max?: number
  readonly union?: boolean
}

export interface Member {
  readonly shape: () => Shape
  readonly place: 'body' | 'payload' | 'query' | 'header' | 'headers' | 'uri' | 'status'
  /** Name on the wire; of `headers`, the prefix. */
  readonly wire: string
  readonly flattened: boolean
}

export interface Operation {
  readonly name: string
  readonly input: Shape | undefined
  readonly output: Shape | undefined
  /** Root elements of the bodies, where the model names them. */
  readonly inputRoot: string | undefined
  readonly namespace: string | undefined
}

/** The operations of a service by name; undefined where the model does not know one. */
export type Model = (operation: string) => Operation | undefined

/** Keep what a function of a key returned. */
export function memo<K, V>(make: (key: K) => V): (key: K) => V {
  const made = new Map<K, V>()
  return (key) => {
    const known = made.get(key)
    if (known !== undefined) return known
    const value = make(key)
    made.set(key, value)
    return value
  }
}

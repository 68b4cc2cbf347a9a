export interface Seen {
  readonly service: string
  readonly operation: string
  readonly resource: string
  status: number
}

// A bench sends millions of requests, and nobody reads such a log.
const LOGGED = 20_000

/** The requests to a sandbox: by operation, and how many at once. */
export class Counters {
  #counts = new Map<string, number>()
  #seen: Seen[] = []
  #inFlight = new Map<string, number>()
  #most = new Map<string, number>()

  /** Count a request; call what it returns with the status when the answer has been sent. */
  start(call: { service: string; operation: string; resource: string }): (status: number) => void {
    const { service, operation, resource } = call
    const seen: Seen = { service, operation, resource, status: 0 }
    this.#seen.push(seen)
    if (this.#seen.length > 2 * LOGGED) this.#seen = this.#seen.slice(-LOGGED)
    this.#counts.set(operation, this.of(operation) + 1)
    this.#move(operation, 1)
    return (status) => {
      seen.status = status
      this.#move(operation, -1)
    }
  }

  #move(operation: string, step: 1 | -1): void {
    for (const name of [operation, '']) {
      const now = (this.#inFlight.get(name) ?? 0) + step
      this.#inFlight.set(name, now)
      this.#most.set(name, Math.max(this.#most.get(name) ?? 0, now))
    }
  }

  /** Requests of an operation, refused ones included. */
  of(operation: string): number {
    return this.#counts.get(operation) ?? 0
  }

  all(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  /** Most requests that were in flight together: of an operation, or of all. */
  mostInFlight(operation = ''): number {
    return this.#most.get(operation) ?? 0
  }

  /** Requests that are being answered. */
  inFlight(): number {
    return this.#inFlight.get('') ?? 0
  }

  /** The latest requests, at least 20,000, in the order of arrival; status 0 while it is being answered, or when the connection was cut or its caller dead. */
  log(): readonly Readonly<Seen>[] {
    return this.#seen
  }

  reset(): void {
    this.#counts.clear()
    this.#most.clear()
    this.#seen = []
  }
}

/** Loads what comes, one call at a time, each with all that has come by then. */
export class Loading {
  private readonly load: (paths: readonly string[]) => Promise<void>
  private waiting: string[] = []
  private running: Promise<void> | undefined

  constructor(load: (paths: readonly string[]) => Promise<void>) {
    this.load = load
  }

  add(path: string): void {
    this.waiting.push(path)
    this.running ??= this.loadWaiting()
    void this.settled()
  }

  /** Nothing is being loaded at the moment. Never throws. */
  async settled(): Promise<void> {
    await this.running?.catch(() => {})
  }

  /** All that has come is loaded. @throws what loading threw */
  async end(): Promise<void> {
    await this.running
  }

  private async loadWaiting(): Promise<void> {
    while (this.waiting.length > 0) await this.load(this.waiting.splice(0))
    this.running = undefined
  }
}

import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'

/** Bytes that are held back, so that many small writes become one. */
const HELD = 1 << 20

/** A file that grows at its end, where the last of it may be taken back. */
export class PartFile {
  readonly path: string
  private readonly fd: number
  private readonly held = Buffer.allocUnsafe(HELD)
  private heldBytes = 0
  /** Bytes before those that are held. */
  private written = 0

  constructor(path: string) {
    this.path = path
    this.fd = openSync(path, 'w')
  }

  /** Bytes. */
  get length(): number {
    return this.written + this.heldBytes
  }

  append(bytes: Buffer): void {
    if (this.heldBytes + bytes.length > HELD) this.flush()
    if (bytes.length > HELD) this.write(bytes)
    else this.heldBytes += bytes.copy(this.held, this.heldBytes)
  }

  /** Takes back what follows the first `length` bytes. */
  cut(length: number): void {
    this.heldBytes = Math.max(0, length - this.written)
    this.written = Math.min(this.written, length)
  }

  close(): void {
    this.flush()
    // What was taken back may have been written.
    ftruncateSync(this.fd, this.written)
    closeSync(this.fd)
  }

  private flush(): void {
    this.write(this.held.subarray(0, this.heldBytes))
    this.heldBytes = 0
  }

  private write(bytes: Buffer): void {
    for (let done = 0; done < bytes.length; ) {
      const more = writeSync(this.fd, bytes, done, bytes.length - done, this.written)
      this.written += more
      done += more
    }
  }
}

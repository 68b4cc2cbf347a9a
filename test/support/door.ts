import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { serverAt } from '../sandbox/server.ts'

export interface Door {
  readonly url: string
  /** Breaks all connections; nobody comes through any more. */
  close(): void
}

/** Another address of a server on this machine, which can be closed for one of its callers alone. */
export async function openDoor(target: string): Promise<Door> {
  const { hostname, port, protocol } = new URL(target)
  const sockets = new Set<Socket>()
  const inside = serverAt(target)
  const server = createServer((caller) => {
    if (inside !== undefined) {
      // In this process nothing needs to be carried from one socket to another.
      sockets.add(caller.once('close', () => sockets.delete(caller)))
      inside.emit('connection', caller)
      return
    }
    const behind = connect(Number(port), hostname)
    for (const [socket, other] of [
      [caller, behind],
      [behind, caller],
    ] as const) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  server.unref()
  return {
    url: `${protocol}//127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

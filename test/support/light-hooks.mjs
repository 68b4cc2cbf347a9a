// Loaded before Node's test runner. To know which test a callback belongs to, the runner of Node 20 hooks into the life of every
// promise, its garbage collection too, which takes up to four fifths of the time of asynchronous code. AsyncLocalStorage tells the same.
import hooks from 'node:async_hooks'

const { AsyncLocalStorage, AsyncResource, createHook, executionAsyncId } = hooks

if (process.versions.node.startsWith('20.')) {
  /** @type {import('node:async_hooks').AsyncLocalStorage<number>} */
  const scope = new AsyncLocalStorage()
  /** @type {import('node:async_hooks').HookCallbacks['init']} */
  let register
  class Scope extends AsyncResource {
    /** @param {ConstructorParameters<typeof AsyncResource>} args */
    constructor(...args) {
      super(...args)
      register?.(this.asyncId(), '', 0, this)
    }
    /**
     * @override
     * @type {import('node:async_hooks').AsyncResource['runInAsyncScope']}
     */
    runInAsyncScope(run, self, ...args) {
      return super.runInAsyncScope(() => scope.run(this.asyncId(), () => Reflect.apply(run, self, args)))
    }
  }
  const light = {
    AsyncResource: Scope,
    createHook: (/** @type {import('node:async_hooks').HookCallbacks} */ { init }) => {
      register = init
      return createHook({})
    },
    executionAsyncId: () => scope.getStore() ?? executionAsyncId(),
  }
  Object.assign(hooks, light)
  await import('node:test')
  Object.assign(hooks, { AsyncResource, createHook, executionAsyncId })
}

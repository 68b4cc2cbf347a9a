/** Whether all tests run (`npm test -- --all`), those that take long and prove what shorter ones show included. */
export const isThorough = process.env.PRESTAGE_TEST_ALL !== undefined

/** The origin of an address, or an error that says what is wrong with it. */
export function checkedHost(given: string): string;

/** Write the project to `out` for `host`. Rejects when `out` is there already. */
export function setHost(host: string, out: string, project?: string): Promise<void>;

// Functions that cannot be indexed: as in Azure each of them is in error, with the reason in the log, and the others go on (the Functions host sets
// AllowPartialHostStartup; texts from FunctionIndexer.IndexTypeAsync and ScriptHost.LogHostFunctionErrors).
import type { RegisteredFunction } from './core-api.ts';
import type { HostLog } from './host-log.ts';

/** Why Azure cannot index a function; everything else that is thrown at start is a limit of this host, and ends it. */
export class IndexingError extends Error {
  override readonly name = 'FunctionIndexingException';
  /** The assembly that throws it in Azure, as the log names it. */
  readonly assembly: string;

  constructor(assembly: string, message: string) {
    super(message);
    this.assembly = assembly;
  }
}

export interface FunctionErrors {
  /** What `read` makes of each function, without those that are in error. */
  index<T>(functions: readonly RegisteredFunction[], read: (one: RegisteredFunction) => T[]): T[];
  /** Says of each function in error why, once all triggers have started. */
  report(): void;
}

export function collectFunctionErrors(log: HostLog): FunctionErrors {
  const errors = new Map<string, string>();
  return {
    index: (functions, read) =>
      functions.flatMap((one) => {
        try {
          return read(one);
        } catch (error) {
          if (!(error instanceof IndexingError)) throw error;
          const { name } = one.metadata;
          const sentence = error.message.endsWith('.') ? error.message : `${error.message}.`;
          const indexing = `Error indexing method 'Functions.${name}'`;
          errors.set(name, `Microsoft.Azure.WebJobs.Host: ${indexing}. ${error.assembly}: ${sentence}`);
          log('error', 'Host.Startup', `${indexing}. ${sentence}`);
          log('warning', 'Host.Startup', `Function 'Functions.${name}' failed indexing and will be disabled.`);
          return [];
        }
      }),
    report: () => {
      for (const [name, why] of errors) log('error', 'Host.Startup', `The '${name}' function is in error: ${why}`);
    },
  };
}

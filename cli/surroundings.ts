/** What the command line has around it. */
export interface Surroundings {
  readonly version: string;
  /** stdout: answers alone. */
  readonly print: (text: string) => void;
  /** stderr: what is to be said besides. */
  readonly tell: (text: string) => void;
}

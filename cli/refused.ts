// What a command cannot do, told in one sentence that says what to do instead.
export class Refused extends Error {}

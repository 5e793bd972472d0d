// Which literals are not mutated: texts of several words, which are for people or for their shell. That a sentence may be emptied
// without a test failing says nothing about the product. A plugin of Stryker's, loaded by its path; no text decides anything here.

interface Literal {
  readonly type: string;
  readonly value?: unknown;
  readonly quasis?: readonly { readonly value: { readonly raw: string } }[];
}

const SEVERAL_WORDS = /\S\s+\S/;

/** Why a literal is left alone, or undefined. A template counts with a word in each of its gaps. */
function shouldIgnore({ node }: { readonly node: Literal }): string | undefined {
  const text =
    node.type === 'StringLiteral'
      ? node.value
      : node.type === 'TemplateLiteral'
        ? node.quasis?.map(({ value }) => value.raw).join('word')
        : undefined;
  return typeof text === 'string' && SEVERAL_WORDS.test(text) ? 'a text for people' : undefined;
}

export const TEXTS_FOR_PEOPLE = 'texts-for-people';
export const strykerPlugins = [{ kind: 'Ignore', name: TEXTS_FOR_PEOPLE, value: { shouldIgnore } }];

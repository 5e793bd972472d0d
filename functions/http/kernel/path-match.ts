// Whether a path fits a route's template, as Azure's router sees it: case-insensitive, one segment per parameter. Pure.

export function pathMatches(template: string, path: string): boolean {
  const wanted = segmentsOf(template);
  const given = segmentsOf(path);
  return (
    wanted.length === given.length &&
    wanted.every((segment, index) => {
      const value = given[index] ?? '';
      return segment.startsWith('{') ? value !== '' : segment.toLowerCase() === value.toLowerCase();
    })
  );
}

const segmentsOf = (path: string): string[] => path.replace(/^\//, '').replace(/\/$/, '').split('/');

/** The names of a table's columns; the class `amount` is of numbers, `minor` is left out where there is little room. */
type Column = string | { readonly name: string; readonly class?: string; readonly isHidden?: boolean };

export const TableHead = ({ columns }: { readonly columns: readonly Column[] }) => (
  <thead>
    <tr>
      {columns.map((column) => {
        const { name, class: look, isHidden = false } = typeof column === "string" ? { name: column } : column;
        return (
          <th key={name} scope="col" class={look}>
            {isHidden ? <span class="visually-hidden">{name}</span> : name}
          </th>
        );
      })}
    </tr>
  </thead>
);

import { route } from "../state/route.ts";
import { CollectionList } from "./collection-list.tsx";
import { CollectionView } from "./collection-view.tsx";

export function DocumentsPage() {
  const [name] = route.value.path;
  return (
    <div class="page documents">
      {name === undefined ? <CollectionList /> : <CollectionView key={name} name={name} />}
    </div>
  );
}

import Counter from '../counter';

export default function Map() {
  return (
    <main>
      <Counter />
      <iframe id="place" title="Place" width="480" height="270" src="https://www.google.com/maps/embed?pb=1" />
    </main>
  );
}

// What a page of TensorBoard draws: by the title of a chart and by run, what the drawing consists
// of. The pages are components within components, many of them with a shadow root of their own.
page => {
    const within = (node, selector) => [node.shadowRoot, ...node.children].filter(Boolean).flatMap(
        inner => [...(inner.matches?.(selector) ? [inner] : []), ...within(inner, selector)]);
    const all = selector => within(document.body, selector);
    const text = node => node?.textContent.trim() ?? '';
    const named = (card, what) => text(within(card, `[itemprop=${what}]`)[0]);

    const drawn = {};
    const put = (title, run, drawing) => { (drawn[title] ??= {})[run] = drawing; };
    const point = xy => xy.split(',').map(Number);
    const lines = (card, colour) => within(card, 'path')
        .filter(path => getComputedStyle(path).stroke === colour)
        .map(path => path.getAttribute('d').slice(1).split('L').map(point));

    const read = {
        timeseries() {  // a run's lines, each with its points
            for (const card of all('scalar-card'))
                for (const row of within(card, 'tb-data-table-content-row')) {
                    const colour = within(row, '.row-circle span')[0]?.style.backgroundColor;
                    const [, run] = within(row, '.cell').map(text);
                    put(within(card, '.tag')[0]?.title, run, lines(card, colour));
                }
        },
        custom_scalars() {  // the same
            for (const card of all('tf-custom-scalar-multi-line-chart-card'))
                for (const entry of within(card, '.match-list-entry')) {
                    const [, run] = text(entry).match(/\((.*)\)$/) ?? [];  // tag (run)
                    put(named(card, 'name'), run, lines(card, entry.style.color));
                }
        },
        images() {  // width and height
            for (const card of all('tf-image-loader'))
                put(named(card, 'name'), named(card, 'run'), within(card, 'img')
                    .flatMap(image => [image.naturalWidth, image.naturalHeight]));
        },
        histograms() {  // an outline for every step
            for (const card of all('tf-histogram-loader'))
                put(named(card, 'name'), named(card, 'run'), within(card, 'path.outline')
                    .map(outline => outline.getAttribute('d')));
        },
        hparams() {  // the cells of a row, in place of a run
            for (const grid of all('vaadin-grid.session-group-table'))
                for (const row of within(grid, 'tbody tr:not([hidden])')) {
                    const cells = within(row, 'slot')
                        .map(slot => text(grid.querySelector(`[slot="${slot.name}"]`)));
                    put('rows', cells[0], cells);
                }
        },
    };
    read[page]();
    return drawn;
}

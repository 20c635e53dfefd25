"use strict";
(async () => {
  // The live page fetches its candidates, see live.js; an offline page contains them.
  const isLive = "shape" in document.body.dataset;
  async function embedded() {
    const packed = Uint8Array.from(atob(document.getElementById("data").textContent), (c) => c.charCodeAt(0));
    const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return (await new Response(unpacked).json()).sections;
  }
  const sections = isLive ? await asked() : await embedded();
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const percent = (x, digits = 2) => (x === null || x === undefined ? "-" : (100 * x).toFixed(digits) + " %");
  const whole = (x) => (x === null || x === undefined ? "-" : x.toLocaleString("en-US"));
  const short = (x) => (x >= 1e6 ? `${x / 1e6}M` : x >= 1e4 ? `${x / 1e3}k` : whole(x));
  const escaped = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
  const print = matchMedia("print");
  // No buttons that open a website or upload data; on a phone no buttons at all, because they would cover the legend.
  const calm = {
    displaylogo: false, responsive: true, showSendToCloud: false, plotlyServerURL: "", modeBarButtonsToRemove: ["lasso2d", "select2d"],
    ...(matchMedia("(max-width: 600px)").matches ? { displayModeBar: false } : {}),
  };
  const of = (name, id) => document.querySelector(`.${name}[data-section="${id}"]`);

  function element(tag, text, attributes = {}) {
    const made = document.createElement(tag);
    if (text !== undefined && text !== null) made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  }

  function scrolling(made, label) {
    const home = element("div", null, { class: "scroll", tabindex: "0", role: "region", "aria-label": label });
    home.append(made);
    return home;
  }

  function table(label, heads, rows) {
    const made = element("table");
    const head = made.createTHead().insertRow();
    const numeric = heads.map((_, place) => place > 0 && rows.every((cells) => /^[-+<\d]/.test(String(cells[place]))));
    const kind = (place) => (numeric[place] ? { class: "n" } : {});
    heads.forEach((text, place) => head.append(element("th", text, { scope: "col", ...kind(place) })));
    const body = made.createTBody();
    for (const cells of rows) {
      const row = body.insertRow();
      cells.forEach((cell, place) => row.append(element("td", cell, kind(place))));
    }
    return scrolling(made, label);
  }

  function layout(x, y, more = {}) {
    const axis = { gridcolor: css("--line"), zerolinecolor: css("--line"), linecolor: css("--line"), automargin: true };
    return {
      // A width that fits on paper: when printing, there is no time to measure it.
      width: print.matches ? 700 : undefined, autosize: !print.matches,
      paper_bgcolor: css("--ground"), plot_bgcolor: css("--ground"), font: { color: css("--ink"), size: 13 },
      margin: { l: 60, r: 15, t: 30, b: 50 }, hovermode: "closest", hoverlabel: { align: "left" },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      xaxis: { ...axis, title: { text: x } }, yaxis: { ...axis, title: { text: y } }, ...more,
    };
  }

  // Accuracy against size

  const sizes = {
    params: ["parameters, moving statistics included", (one) => one.row.params],
    macs: ["multiply-accumulates for one image", (one) => one.row.macs],
    peak_activation_bytes: ["bytes of activations at the peak, int8", (one) => one.row.peak_activation_bytes],
    int8_weight_bytes: ["bytes of weights, int8", (one) => one.int8_weight_bytes],
    flash_bytes: ["bytes of flash, int8 C code on a Cortex-M0+", (one) => one.row.flash_bytes],
  };

  const spread_of = (mean, std) => (std === null ? percent(mean) : `${(100 * mean).toFixed(2)} ± ${percent(std)}`);
  const times = (row) => (row.val_seeds > 1 ? ` (n=${row.val_seeds})` : "");
  const validated = (row) => percent(row.val_accuracy) + times(row);

  // The metric that candidates are ranked by: accuracy, unless another one is chosen.

  const measured = (metric, x) => (metric.is_share || x === null ? percent(x) : String(Number(x.toPrecision(4))));

  function hover(one) {
    const metric = sections[one.section].metric;
    const lines = [
      `<b>${escaped(one.row.name)}</b>`, escaped(one.row.layers).replace(/(.{60}\S*) /g, "$1<br>"),
      `${whole(one.row.params)} parameters, ${whole(one.row.macs)} MACs`, `validation ${validated(one.row)}`,
    ];
    if (!metric.is_accuracy) {
      lines.splice(3, 0, `validation ${escaped(metric.title)} ${measured(metric, one.row.val_metric)}${times(one.row)}`);
      if (one.row.test_metric_mean !== null) lines.push(`test ${escaped(metric.title)} ${measured(metric, one.row.test_metric_mean)}, n=${one.row.test_seeds}`);
    }
    if (one.row.test_accuracy_mean !== null) lines.push(`test ${percent(one.row.test_accuracy_mean)}, n=${one.row.test_seeds}`);
    if (one.row.int8_accuracy_mean !== null) lines.push(`test in int8 ${percent(one.row.int8_accuracy_mean)}, n=${one.row.int8_seeds}`);
    return lines.join("<br>");
  }

  // Logarithmic scale of the error: half the error is one step up.
  const TICKS = [10, 30, 50, 60, 70, 75, 80, 85, 88, 90, 92, 93, 94, 95, 96, 96.5, 97, 97.5, 98, 98.3, 98.6, 98.8, 99, 99.1, 99.2, 99.3, 99.4, 99.5, 99.6, 99.7, 99.8, 99.9];
  const height = (share) => -Math.log2(Math.max(1 - share, 1e-4));

  // Choose ticks from the top down, as many as fit.
  function ticks(values) {
    const heights = values.map(height), high = Math.max(...heights), low = Math.min(...heights);
    const room = Math.max(high - low, 0.2) / 9, kept = [];
    for (const tick of [...TICKS].reverse()) {
      const y = height(tick / 100);
      if (y <= high + 2 * room && y >= low - 2 * room && (!kept.length || height(kept[kept.length - 1] / 100) - y >= room)) kept.push(tick);
    }
    return kept;
  }

  function spread(one, way, y) {
    const { test_metric_mean: mean, test_metric_std: std } = one.row;
    return std === null ? 0 : Math.abs(y(mean + way * std) - y(mean));
  }

  function front(candidates, size, sign) {
    const score = (one) => sign * one.row.val_metric;
    const sorted = [...candidates].sort((a, b) => size(a) - size(b) || score(b) - score(a));
    const kept = [];
    for (const one of sorted) if (!kept.length || score(one) > score(kept[kept.length - 1])) kept.push(one);
    return kept;
  }

  // Of very many points, only one of those at the same spot is drawn. The leaderboard has all.
  const MANY = 2000, SPOT = 10;
  function visible(candidates, box, size, y, best) {
    if (candidates.length <= MANY) return candidates;
    const across = candidates.map((one) => Math.log(size(one))), up = candidates.map((one) => y(one.row.val_metric));
    const range = (values) => values.reduce(([low, high], x) => [Math.min(low, x), Math.max(high, x)], [Infinity, -Infinity]);
    const [left, right] = range(across), [low, high] = range(up), taken = new Set(), kept = new Set(best);
    const column = (x) => Math.round((((x - left) / (right - left || 1)) * box.clientWidth) / SPOT);
    const line = (x) => Math.round((((x - low) / (high - low || 1)) * box.clientHeight) / SPOT);
    return candidates.filter((one, place) => {
      const spot = column(across[place]) * 10000 + line(up[place]), free = !taken.has(spot);
      taken.add(spot);
      return free || kept.has(one);
    });
  }

  function scatter(id) {
    const box = of("scatter", id), key = of("axis", id).value, [title, size] = sizes[key];
    const { metric } = sections[id], y = metric.is_share ? height : (x) => x;
    const sized = sections[id].candidates.filter((one) => size(one) !== null);
    const all = sized.filter((one) => one.row.val_metric !== null);
    const points = (chosen, name, marker, value = (one) => one.row.val_metric, more = {}) => ({
      x: chosen.map(size), y: chosen.map((one) => y(value(one))), text: chosen.map(hover), customdata: chosen.map((one) => one.index),
      hovertemplate: "%{text}<extra></extra>", mode: "markers", type: "scatter", name, marker, ...more,
    });
    const best = front(all, size, metric.sign), found = all.filter((one) => one.row.origin !== "baseline"), tested = sized.filter((one) => one.row.test_metric_mean !== null);
    const traces = [
      points(visible(found, box, size, y, best), "candidates, validation", { color: css("--accent"), size: 7, opacity: 0.55 }),
      { x: best.map(size), y: best.map((one) => y(one.row.val_metric)), mode: "lines", type: "scatter", hoverinfo: "skip",
        line: { shape: "hv", dash: "dot", color: css("--accent") }, name: "Pareto front, validation" },
      points(all.filter((one) => one.row.origin === "baseline"), "hand-designed, validation", { color: css("--warm"), size: 12, symbol: "diamond" }),
    ];
    if (tested.length) traces.push(points(tested, "test, mean ± std", { color: css("--good"), size: 10, symbol: "square" }, (one) => one.row.test_metric_mean,
      { error_y: { type: "data", symmetric: false, color: css("--good"), array: tested.map((one) => spread(one, 1, y)), arrayminus: tested.map((one) => spread(one, -1, y)) } }));
    const budgets = key === "params" ? [...new Set(sections[id].searches.filter((one) => one.best.length).map((one) => one.budget).filter(Boolean))] : [];
    const drawn = layout(title, metric.is_share ? `${metric.title}, %, scale stretched towards 100` : escaped(metric.title), {
      shapes: budgets.map((x) => ({ type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, line: { color: css("--quiet"), dash: "dash", width: 1 } })),
      annotations: budgets.map((x) => ({ x: Math.log10(x), y: 1, yref: "paper", text: whole(x), showarrow: false, xanchor: "right", font: { color: css("--quiet") } })),
    });
    drawn.xaxis.type = "log";
    const there = all.map(size), narrow = Math.max(...there) < 10 * Math.min(...there);
    const digits = narrow ? [1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9] : [1, 2, 5];
    const decades = [0, 1, 2, 3, 4, 5, 6, 7, 8].flatMap((power) => digits.map((digit) => digit * 10 ** power));
    Object.assign(drawn.xaxis, { tickvals: decades, ticktext: decades.map(short) });
    const marks = metric.is_share ? ticks([...all.map((one) => one.row.val_metric), ...tested.map((one) => one.row.test_metric_mean)]) : [];
    if (metric.is_share) Object.assign(drawn.yaxis, { tickvals: marks.map((x) => height(x / 100)), ticktext: marks.map(String) });
    Plotly.react(box, traces, drawn, calm);
    if (!box.dataset.listens) {
      box.dataset.listens = "yes";
      box.on("plotly_click", (event) => { const i = event.points[0].customdata; if (i !== undefined) open(id, i); });
    }
  }

  // Progress of the searches

  // Of very many trials, keep those at which the best value changes, and the last one.
  function turns(best) {
    const places = [...best.keys()];
    return best.length <= MANY / 4 ? places : places.filter((place) => place === best.length - 1 || best[place] !== best[place - 1]);
  }

  function progress(id) {
    const box = of("progress", id);
    if (!box) return;
    const time = of("over", id).value === "time", { metric } = sections[id], unit = metric.is_share ? " %" : "";
    const traces = sections[id].searches.map((search) => [search, turns(search.best)]).map(([search, places]) => ({
      x: places.map((place) => (time ? search.seconds[place] / 60 : place + 1)),
      y: places.map((place) => (search.best[place] === null ? null : metric.is_share ? 100 * search.best[place] : search.best[place])),
      text: places.map((place) => escaped(search.names[place])), mode: "lines+markers", type: "scatter",
      line: { shape: "hv" }, marker: { size: 5 }, name: escaped(search.run), hovertemplate: `%{y:.2f}${unit}, after %{text}<extra>%{fullData.name}</extra>`,
    }));
    const drawn = layout(time ? "minutes of training, all workers together" : "trials", `best validation ${escaped(metric.title)} so far${metric.is_share ? ", %" : ""}`);
    if (!time) Object.assign(drawn.xaxis, { tickformat: ",d", dtick: Math.max(...sections[id].searches.map((search) => search.best.length)) <= 20 ? 1 : undefined });
    Plotly.react(box, traces, drawn, calm);
  }

  // The leaderboard. The live page lists the first rows only, because updating thousands of rows is slow.

  const FIRST = 200;

  function enlist(id) {
    const board = of("board", id), section = sections[id];
    section.rows = new Map([...board.tBodies[0].rows].map((row) => [Number(row.dataset.i), row]));
    section.order = section.order || section.candidates.map((_, place) => place);
    section.sorted = null;
    section.most = isLive ? FIRST : Infinity;
  }

  function rowOf(section, index) {
    const one = section.candidates[index];
    if (!section.rows.has(index)) {
      const made = document.createElement("template");
      made.innerHTML = one.html;
      section.rows.set(index, made.content.firstElementChild);
    }
    const row = section.rows.get(index), rank = row.querySelector(".rank");
    if (rank.textContent !== String(one.row.rank)) rank.textContent = one.row.rank;
    return row;
  }

  function fitting(id) {
    const form = of("filters", id), { candidates, order } = sections[id];
    const [text, origin, strategy, run] = ["text", "origin", "strategy", "run"].map((name) => form.querySelector(`.f-${name}`).value);
    const pareto = form.querySelector(".f-pareto").checked, tested = form.querySelector(".f-tested").checked;
    const wanted = text.toLowerCase().split(/\s+/);
    return order.filter((index) => {
      const { row: one, strategy: how } = candidates[index];
      const words = `${one.name} ${one.key} ${one.run} ${one.layers}`.toLowerCase();
      return wanted.every((word) => words.includes(word)) && (!origin || one.origin === origin) &&
        (!strategy || how === strategy) && (!run || one.run === run) && (!pareto || one.on_pareto_front) && (!tested || one.test_seeds > 0);
    });
  }

  function list(id) {
    const form = of("filters", id), body = of("board", id).tBodies[0], section = sections[id], shown = fitting(id);
    if (section.sorted) {
      const { key, down } = section.sorted;
      const value = (index) => { const one = section.candidates[index]; return key === "documented" ? one.documented : one.row[key]; };
      shown.sort((one, other) => {
        const a = value(one), b = value(other);
        if (a === null || b === null) return (a === null) - (b === null);
        const order = typeof a === "string" ? a.localeCompare(b) : a - b;
        return down ? -order : order;
      });
    }
    const rows = shown.slice(0, section.most).map((index) => rowOf(section, index));
    const before = body.rows;
    if (rows.length !== before.length || rows.some((row, place) => row !== before[place])) {
      const focused = body.contains(document.activeElement) ? document.activeElement : null;
      body.replaceChildren(...rows);
      if (focused && body.contains(focused)) focused.focus({ preventScroll: true });
    }
    const more = form.querySelector(".more"), left = shown.length - rows.length;
    more.hidden = !left;
    form.querySelector(".shown").value = `${shown.length} of ${section.candidates.length} candidates` + (left ? `, the first ${rows.length} listed` : "");
  }

  function sort(button) {
    const board = button.closest("table"), id = board.dataset.section, head = button.closest("th"), key = button.dataset.key;
    const before = head.getAttribute("aria-sort");
    const down = before === "none" ? button.dataset.down === "yes" : before === "ascending";
    for (const other of board.tHead.rows[0].cells) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    sections[id].sorted = { key, down };
    list(id);
  }

  // One candidate

  const dialog = document.getElementById("candidate"), body = document.getElementById("c-body");

  const words = (kind) => kind.replace(/_/g, " ").replace("batch norm", "BN");

  function network(layers) {
    const widest = Math.max(1, ...layers.map(([, , shape]) => shape[shape.length - 1]));
    const made = element("div", null, { class: "net" });
    let grid = null, gridName = "";
    let last = null;
    for (const [name, kind, shape, params, macs, window] of layers) {
      const found = /^(.*?)_branch(\d+)_/.exec(name);
      let home = made;
      if (found) {
        if (!grid || gridName !== found[1]) { grid = element("div", null, { class: "branches" }); gridName = found[1]; made.append(grid); }
        while (grid.children.length < Number(found[2])) grid.append(element("div", null, { class: "net" }));
        home = grid.children[Number(found[2]) - 1];
      } else { grid = null; }
      if (last && last.home === home && !macs && last.shape.join() === shape.join()) {
        last.words.textContent += ` · ${words(kind)}`;
        last.params += params;
        last.count.textContent = last.params ? `${whole(last.params)} parameters` : "";
        continue;
      }
      const type = macs && shape.length === 3 ? "weights" : /pool/.test(kind) ? "pool" : shape.length === 1 && macs ? "dense" : "";
      const op = element("div", null, { class: `op ${type}` });
      last = { home, shape, params, words: element("span", `${words(kind)} ${window}`.trim()), count: element("span", params ? `${whole(params)} parameters` : "") };
      op.append(last.words, element("span", shape.join("×")), last.count);
      if (macs) op.append(element("div", null, { class: "bar", style: `max-width:${(100 * shape[shape.length - 1]) / widest}%`, "aria-hidden": "true" }));
      home.append(op);
    }
    return made;
  }

  function facts(pairs) {
    const made = element("dl", null, { class: "facts" });
    for (const [name, value] of pairs) if (value !== null && value !== undefined && value !== "") made.append(element("dt", name), element("dd", value));
    return made;
  }

  let drawCurves = () => {};

  function curves(one, home) {
    const epochs = one.curve.val_accuracy.map((_, place) => place + 1);
    if (!epochs.length) return;
    const { metric } = sections[one.section];
    home.append(element("h4", "Training"));
    const box = element("div", null, { class: "plot", style: "min-height:300px", role: "figure", "aria-label": "Accuracy after each epoch; the table below has the figures." });
    home.append(box);
    const line = (name, values, color, dash) => ({ x: epochs, y: values.map((x) => (x === null ? null : 100 * x)), name, mode: "lines+markers", type: "scatter", line: { color, dash } });
    drawCurves = () => {
      const drawn = layout("epoch", "accuracy, %");
      drawn.xaxis.dtick = epochs.length <= 20 ? 1 : undefined;
      const more = one.curve.val_metric && metric.is_share ? [line(`validation ${escaped(metric.title)}`, one.curve.val_metric, css("--good"))] : [];
      Plotly.react(box, [line("training, augmented", one.curve.accuracy, css("--quiet"), "dot"), line(metric.is_accuracy ? "validation" : "validation accuracy", one.curve.val_accuracy, css("--accent")), ...more], drawn, calm);
    };
    drawCurves();
    const figures = element("details");
    figures.append(element("summary", "the same as a table"));
    const number = (x) => (x === null || x === undefined ? "-" : x.toFixed(4));
    figures.append(table("training, epoch by epoch", ["epoch", "loss", "accuracy", "val. loss", "val. accuracy", "rate"], epochs.map((epoch, place) => [
      epoch, number(one.curve.loss[place]), percent(one.curve.accuracy[place]), number(one.curve.val_loss[place]), percent(one.curve.val_accuracy[place]), number(one.curve.learning_rate[place]),
    ])));
    home.append(figures);
  }

  function tested(one, home) {
    home.append(element("h4", "On the test images"));
    if (!one.test) {
      home.append(element("p", "Not scored yet: a search never sees the test images. To train it again and score it, run:"), element("pre", one.reproduce));
      return;
    }
    const scores = Object.entries(one.test.accuracies);
    home.append(element("p", `Trained on ${one.test.held_out ? "the training images that were not held out" : "all training images"}, ${scores.length} time${scores.length > 1 ? "s" : ""}: ` + scores.map(([seed, x]) => `${percent(x)} (seed ${seed})`).join(", ") + "."));
    const answered = one.versus.some((v) => v.p_value !== null);
    if (one.versus.length) home.append(table("comparisons", ["against", "n", "test accuracy", "difference, points", ...(answered ? ["McNemar p"] : []), "verdict"], one.versus.map((v) => [
      v.trained ? `${v.name}, ${v.trained}` : v.name, v.seeds, percent(v.mean), `${v.difference >= 0 ? "+" : ""}${(100 * v.difference).toFixed(2)}` + (v.standard_error === null ? "" : ` ± ${(100 * v.standard_error).toFixed(2)}`), ...(answered ? [v.p_value === null ? "-" : v.p_value < 0.001 ? "< 0.001" : v.p_value.toFixed(3)] : []), v.verdict,
    ])));
    const named = (number) => (one.test.class_names || [])[number] ?? number;
    if (one.test.confusion.length) {
      home.append(element("h4", `Confusion${scores.length > 1 ? `, all ${scores.length} trainings together` : ""}: rows are the true classes, columns the predicted classes`));
      const made = element("table", null, { class: "confusion" });
      const head = made.createTHead().insertRow();
      head.append(element("th", "class", { scope: "col" }));
      one.test.confusion.forEach((_, label) => head.append(element("th", named(label), { scope: "col" })));
      const rows = made.createTBody();
      one.test.confusion.forEach((counts, label) => {
        const row = rows.insertRow();
        row.append(element("th", named(label), { scope: "row" }));
        counts.forEach((count, other) => row.append(element("td", count || "·", { class: other === label ? "hit" : count ? "miss" : "" })));
      });
      home.append(scrolling(made, "confusion matrix"));
    }
    if (one.test.mistakes.length) {
      home.append(element("h4", `Misclassified: ${one.test.wrong} images by at least one training` + (one.test.mistakes.length < one.test.wrong ? `, the ${one.test.mistakes.length} most frequent` : "")));
      const list = element("ul", null, { class: "digits" });
      for (const mistake of one.test.mistakes) {
        const item = element("li");
        if (mistake.pixels && one.test.side) item.append(digit(mistake, one.test.side));
        item.append(element("span", `${named(mistake.label)} → ${named(mistake.predicted)}`, { title: `test image ${mistake.index}, wrong ${mistake.times} of ${scores.length} times` }));
        list.append(item);
      }
      home.append(list);
      if (!one.test.side) home.append(element("p", "tinysearch report --data FILE shows the images too.", { class: "quiet" }));
    }
  }

  function digit(mistake, [height, width]) {
    const canvas = element("canvas", null, { width, height, role: "img", "aria-label": `test image ${mistake.index}, a ${mistake.label} classified as ${mistake.predicted}` });
    const bytes = atob(mistake.pixels), context = canvas.getContext("2d"), image = context.createImageData(width, height);
    for (let place = 0; place < bytes.length; place += 1) {
      image.data.fill(bytes.charCodeAt(place), 4 * place, 4 * place + 3);
      image.data[4 * place + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    return canvas;
  }

  async function open(id, index) {
    const known = sections[id].candidates[index], { metric } = sections[id];
    const one = isLive ? { ...known, ...(await detailed(id, index)) } : known, row = one.row;
    document.getElementById("c-title").textContent = row.name;
    body.replaceChildren();
    body.append(facts([
      ["layers", row.layers], ["parameters", `${whole(row.params)} (${whole(row.trainable_params)} trainable, ${whole(row.non_trainable_params)} not)`],
      ["MACs", whole(row.macs)], ["activations", `${whole(row.peak_activation_bytes)} bytes at the peak, int8`], ["weights", `${whole(one.int8_weight_bytes)} bytes, int8`],
      ["flash", row.flash_bytes === null ? null : `${whole(row.flash_bytes)} bytes as int8 C code on a Cortex-M0+`],
      ...(metric.is_accuracy ? [] : [
        [`validation ${metric.title}`, `${measured(metric, row.val_metric)}${times(row)}`],
        [`test ${metric.title}`, row.test_metric_mean === null ? "-" : `${measured(metric, row.test_metric_mean)}${row.test_metric_std === null ? "" : ` ± ${measured(metric, row.test_metric_std)}`} (n=${row.test_seeds})`],
      ]),
      ["validation", `${validated(row)} after epoch ${row.epochs}${one.pruned ? ", stopped early" : ""}`],
      ["test", row.test_accuracy_mean === null ? "-" : `${spread_of(row.test_accuracy_mean, row.test_accuracy_std)} (n=${row.test_seeds})`],
      ["test, int8", row.int8_accuracy_mean === null ? null : `${spread_of(row.int8_accuracy_mean, row.int8_accuracy_std)} (n=${row.int8_seeds})`],
      ["documented", one.documented === null ? null : `${percent(one.documented)}, a single run`],
    ]));
    body.append(element("h4", "Network"), network(one.layers), element("p", "From input to output: operation, shape of its output, parameters. The length of a bar shows the number of channels.", { class: "quiet" }));
    const costs = element("details");
    costs.append(element("summary", "cost per layer"), table("cost per layer", ["layer", "kind", "output", "parameters", "MACs"], one.layers.map(([name, kind, shape, params, macs, window]) => [name, `${kind} ${window}`.trim(), shape.join("×"), whole(params), whole(macs)])));
    body.append(costs);
    tested(one, body);
    const place = element("div");
    body.append(place, element("h4", "Where the figures come from"), facts([
      ["run", row.run], ["trial", one.trial === null ? "-" : one.trial + 1], ["key", row.key], ["seed", row.seed === null ? "several" : row.seed],
      ["recipe", Object.entries(one.recipe).map(([name, value]) => `${name} ${value}`).join(", ")],
      ["training images", `${row.dataset}, ${one.fingerprint}`], ["validated on", one.validated_on], ["measured on", Object.entries(one.versions).map(([name, value]) => `${name} ${value}`).join(", ")],
      ["stored", one.stored],
    ]), element("h4", "Train it again"), element("pre", one.reproduce));
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    document.getElementById("c-title").focus();
    curves(one, place);
    history.replaceState(null, "", `#c${id}-${index}`);
  }

  document.getElementById("c-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => history.replaceState(null, "", location.pathname + location.search));

  sections.forEach((section, id) => {
    section.candidates.forEach((one, index) => { one.index = index; one.section = id; });
    enlist(id);
    if (isLive) list(id);
    scatter(id);
    progress(id);
    of("axis", id).addEventListener("change", () => scatter(id));
    if (of("over", id)) of("over", id).addEventListener("change", () => progress(id));
    of("filters", id).addEventListener("input", () => list(id));
    of("filters", id).addEventListener("submit", (event) => event.preventDefault());
    of("filters", id).querySelector(".more").addEventListener("click", () => { sections[id].most += 1000; list(id); });
    document.querySelector(`.dataset[data-section="${id}"]`).addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button && button.classList.contains("open")) open(id, Number(button.dataset.i));
      if (button && button.classList.contains("sort")) sort(button);
      const row = event.target.closest("table:is(.board, .choice) tbody tr");
      if (row && !button && !String(getSelection())) open(id, Number(row.querySelector("button.open").dataset.i));
    });
  });
  // Plots keep the colors and the width with which they were drawn, so they are drawn again.
  for (const medium of [print, matchMedia("(prefers-color-scheme: dark)")]) {
    medium.addEventListener("change", () => {
      sections.forEach((_, id) => { scatter(id); progress(id); });
      if (dialog.open) drawCurves();
    });
  }
  if (isLive) follow(sections, (id) => { list(id); scatter(id); progress(id); });
  const linked = /^#c(\d+)-(\d+)$/.exec(location.hash);
  if (linked && sections[linked[1]] && sections[linked[1]].candidates[linked[2]]) open(Number(linked[1]), Number(linked[2]));
})();

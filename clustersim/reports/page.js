"use strict";
// Draws the charts of each board, and follows its controls and its legends.
(() => {
  const config = {
    responsive: true, displaylogo: false, showTips: false, showSendToCloud: false, plotlyServerURL: "",
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "sendDataToCloud", "sendChartToCloud"],
  };
  const other = { x: "xaxis", y: "yaxis" };

  function start(board) {
    const spec = JSON.parse(board.querySelector("script[type='application/json']").textContent);
    const selects = [...board.querySelectorAll("select")];
    const buttons = [...board.querySelectorAll("button[data-axis]")];
    const hidden = new Set(spec.hidden);
    const scales = {};
    const chosen = (chart) => chart.figures[chart.controls.map((name) => document.getElementById(name).value).join("/")];

    function trace(original) {
      const visible = hidden.has(original.legendgroup) ? "legendonly" : true;
      return { ...original, visible };
    }

    function layout(figure) {
      const changed = { ...figure.layout };
      for (const axis of ["x", "y"]) {
        const name = other[axis];
        const type = scales[axis] || changed[name].type || "linear";
        changed[name] = { ...changed[name] };
        if (buttons.length) changed[name].type = type;
        const range = changed.meta && changed.meta.ranges && axis === "y" ? changed.meta.ranges[type] : null;
        if (range) changed[name].range = [...range];
      }
      return changed;
    }

    function draw() {
      for (const [id, chart] of Object.entries(spec.charts)) {
        const figure = chosen(chart);
        Plotly.react(id, figure.data.map(trace), layout(figure), config);
      }
      const first = chosen(Object.values(spec.charts)[0]).layout;
      for (const button of buttons) {
        const axis = button.dataset.axis;
        const now = scales[axis] || first[other[axis]].type || "linear";
        button.setAttribute("aria-pressed", String(now === button.dataset.scale));
        const ranges = first.meta && first.meta.ranges;
        button.disabled = axis === "y" && button.dataset.scale === "log" && Boolean(ranges) && !ranges.log;
      }
    }

    function groups() {
      const all = Object.values(spec.charts).flatMap((chart) => chosen(chart).data.map((one) => one.legendgroup));
      return [...new Set(all)];
    }

    function toggle(event) {
      const group = event.data[event.curveNumber].legendgroup;
      if (!hidden.delete(group)) hidden.add(group);
      draw();
      return false;
    }

    function isolate(event) {
      const group = event.data[event.curveNumber].legendgroup;
      const alone = groups().every((one) => one === group || hidden.has(one));
      for (const one of groups()) if (alone || one === group) hidden.delete(one); else hidden.add(one);
      draw();
      return false;
    }

    for (const select of selects) select.addEventListener("change", () => { delete scales.y; draw(); });
    for (const button of buttons) {
      button.addEventListener("click", () => { scales[button.dataset.axis] = button.dataset.scale; draw(); });
    }
    draw();
    for (const id of Object.keys(spec.charts)) {
      const place = document.getElementById(id);
      place.on("plotly_legendclick", toggle);
      place.on("plotly_legenddoubleclick", isolate);
    }
  }

  for (const board of document.querySelectorAll(".board")) start(board);
})();

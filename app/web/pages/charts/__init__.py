"""Charts as SVG, made on the server: pure functions from marks to markup.

Each mark has its colour as an attribute, so that a chart is whole without a style sheet, as in a file; on a page
`charts.css` sets the colours of the theme. A mark with an address is a link. Its caption, a sentence with the figure, is
its name for screen readers, its tooltip, and a line in the chart while it is hovered or focused. Colour is never the
only difference: the text of the axis, a figure or the shape of the mark says the same.
"""

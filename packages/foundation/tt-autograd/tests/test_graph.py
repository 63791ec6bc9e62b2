"""Pictures of the graph: what is in them, that they are well formed, and that nothing in them escapes."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from tt_autograd import defvjp, graph
from tt_tensor import Primitive, Tensor


def loss() -> Tensor:
    w = Tensor([[1.0, 2.0]], requires_grad=True)
    return (w * w).sum()


def test_text_names_operations_and_shapes_from_the_result_down() -> None:
    lines = graph(loss()).splitlines()
    assert lines[0].split() == ["sum", "()"]
    assert lines[1] == "  multiply (1, 2)"
    assert lines[2].startswith("    ")
    assert "(1, 2)" in lines[2]
    assert len(lines) == 4
    assert "see above" in lines[3]


def test_a_constant_is_not_part_of_the_graph() -> None:
    w = Tensor([1.0], requires_grad=True)
    assert graph(w * Tensor([5.0])).count("\n") == 1


def test_dot_has_a_node_for_each_box_and_an_edge_for_each_use() -> None:
    dot = graph(loss(), format="dot")
    assert dot.startswith("digraph")
    assert dot.rstrip().endswith("}")
    assert len(re.findall(r"label=", dot)) == 3
    assert dot.count("->") == 3
    assert "multiply" in dot


def boxes(svg: str) -> list[tuple[float, float, str]]:
    root = ET.fromstring(svg)
    space = "{http://www.w3.org/2000/svg}"
    found = []
    for group in root.iter(f"{space}g"):
        rect, text = group.find(f"{space}rect"), group.find(f"{space}text")
        assert rect is not None
        assert text is not None
        found.append((float(rect.attrib["x"]), float(rect.attrib["y"]), text.text or ""))
    return found


def test_svg_is_well_formed_and_lays_the_result_below_its_sources() -> None:
    svg = graph(loss(), format="svg")
    at = {label: y for _, y, label in boxes(svg)}
    assert at["sum"] > at["multiply"] > min(at.values())
    assert ET.fromstring(svg).attrib["viewBox"].startswith("0 0 ")


def test_svg_boxes_do_not_overlap_and_stay_inside() -> None:
    parts = [Tensor([float(i)], requires_grad=True) * 2.0 for i in range(7)]
    total = parts[0]
    for part in parts[1:]:
        total = total + part.tanh()
    svg = graph(total, format="svg")
    root = ET.fromstring(svg)
    found = boxes(svg)
    assert len(found) == 7 + 7 + 6 + 6
    for i, (x, y, _) in enumerate(found):
        assert 0 <= x <= float(root.attrib["width"]) - 150
        assert 0 <= y <= float(root.attrib["height"]) - 40
        for other_x, other_y, _ in found[i + 1 :]:
            assert abs(x - other_x) >= 150 or abs(y - other_y) >= 40


def test_names_are_escaped() -> None:
    odd = Primitive('a<b>&"c"', lambda x: x + 0, elementwise=True)
    defvjp(odd, lambda g, _out, _x: g)
    out = odd(Tensor([1.0], requires_grad=True))
    assert "a<b>" not in graph(out, format="svg")
    assert [label for *_, label in boxes(graph(out, format="svg")) if label.startswith("a<")] == ['a<b>&"c"']
    assert '\\"c\\"' in graph(out, format="dot")


def test_a_leaf_alone_is_a_graph_of_one() -> None:
    leaf = Tensor([1.0], requires_grad=True)
    assert graph(leaf).count("\n") == 0
    assert len(boxes(graph(leaf, format="svg"))) == 1


def test_a_deep_graph_is_drawn_without_recursion() -> None:
    y = Tensor(1.0, requires_grad=True)
    for _ in range(1500):
        y = y + 1.0
    assert graph(y).count("add") == 1500
    assert len(boxes(graph(y, format="svg"))) == 1501


def test_a_graph_too_large_to_read_is_refused() -> None:
    y = Tensor(1.0, requires_grad=True)
    for _ in range(3000):
        y = y + 1.0
    with pytest.raises(ValueError, match=r"2,?000"):
        graph(y)


def test_an_unknown_format_names_the_known_ones() -> None:
    unknown: Any = "png"
    with pytest.raises(ValueError, match=r"(?s)png.*|text.*dot.*svg"):
        graph(loss(), format=unknown)


def test_a_graph_that_backward_has_freed_says_so() -> None:
    out = loss()
    out.backward()
    assert "freed" in graph(out)


def test_drawing_leaves_the_graph_usable() -> None:
    out = loss()
    graph(out)
    out.backward()

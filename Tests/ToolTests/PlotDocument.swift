import Foundation
import FoundationXML

/// A plot as an XML parser sees it.
final class PlotDocument: NSObject, XMLParserDelegate {
  /// What stands in one panel.
  struct Panel {
    /// Class and drawing of each path, in order.
    var paths: [(style: String, drawing: String)] = []
    var bands: [(style: String, x: Int, width: Int)] = []
    var text = ""
  }

  /// A corner of a drawn line.
  struct Corner: Equatable {
    var x: Double
    var y: Double
  }

  private(set) var panels: [String: Panel] = [:]
  /// Ids of the panels, from top to bottom.
  private(set) var order: [String] = []
  /// Texts outside the panels, one after the other.
  private(set) var texts: [String] = []
  private(set) var problem: String?
  private var panel: String?
  private var isInText = false

  init(_ svg: some Sequence<UInt8>) {
    super.init()
    let parser = XMLParser(data: Data(svg))
    parser.delegate = self
    if !parser.parse() { problem = "\(parser.parserError.map { "\($0)" } ?? "not XML") in line \(parser.lineNumber)" }
  }

  /// The corners of the panel's line of this class; a pen that is lifted is a nil between them.
  func corners(_ panel: String, _ style: String) -> [Corner?] {
    let drawing = panels[panel]?.paths.first { $0.style.split(separator: " ").first == style[...] }?.drawing ?? ""
    var corners: [Corner?] = []
    var pen = Corner(x: 0, y: 0)
    for match in drawing.matches(of: /([MHVh])([-0-9. ]+)/) {
      let numbers = match.2.split(separator: " ").compactMap { Double($0) }
      switch match.1 {
      case "M":
        if !corners.isEmpty { corners.append(nil) }
        pen = Corner(x: numbers[0], y: numbers[1])
      case "H": pen.x = numbers[0]
      case "V": pen.y = numbers[0]
      default: continue
      }
      corners.append(pen)
    }
    return corners
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    let style = attributes["class"] ?? ""
    if name == "text" { isInText = true }
    switch name {
    case "g":
      panel = attributes["id"]
      order.append(panel ?? "")
      panels[panel ?? ""] = Panel()
    case "path":
      panels[panel ?? ""]?.paths.append((style, attributes["d"] ?? ""))
    case "rect" where ["warming", "stale"].contains(style):
      panels[panel ?? ""]?.bands.append((style, Int(attributes["x"] ?? "") ?? -1, Int(attributes["width"] ?? "") ?? -1))
    case "text" where panel == nil:
      texts.append("")
    default: break
    }
  }

  func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
    if name == "g" { panel = nil }
    if name == "text" { isInText = false }
  }

  func parser(_ parser: XMLParser, foundCharacters text: String) {
    guard isInText else { return }
    if let panel {
      panels[panel]?.text += text
    } else {
      texts[texts.count - 1] += text
    }
  }
}

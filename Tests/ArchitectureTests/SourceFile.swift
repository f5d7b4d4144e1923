import Foundation

/// A file of the package: what every rule looks at. Planted ones are made in the tests.
struct SourceFile {
  /// From the package's root, with `/`.
  let path: String
  let text: String
  /// What is code in it; nil where it is not Swift.
  let code: SwiftCode?

  init(path: String, text: String) {
    self.path = path
    self.text = text
    code = path.hasSuffix(".swift") ? SwiftCode(text) : nil
  }

  /// The ending, without the dot.
  var kind: String { path.split(separator: "/").last?.split(separator: ".").dropFirst().last.map(String.init) ?? "" }

  var isSwift: Bool { code != nil }
  var isC: Bool { kind == "c" || kind == "h" }

  /// The module a file belongs to, by its folder: `Sources/Stages/4-RegimeDetection/…` is of `RegimeDetection`.
  var module: String? {
    let parts = path.split(separator: "/").map(String.init)
    guard parts.count >= 3, ["Sources", "Benchmarks", "Fixtures", "Tests"].contains(parts[0]) else { return nil }
    // Fixtures group a module with what it was made from.
    if parts[0] == "Fixtures", parts.count >= 4, House.modules[parts[2]] != nil { return parts[2] }
    guard parts[0] == "Sources", ["Stages", "Shims"].contains(parts[1]) else { return parts[1] }
    guard parts.count >= 4 else { return nil }
    return parts[1] == "Shims" ? parts[2] : parts[2].split(separator: "-").last.map(String.init)
  }

  /// Whether the text contains some words, compared byte by byte: quick enough for every word in every file.
  func mentions(_ words: String) -> Bool {
    Data(text.utf8).range(of: Data(words.utf8)) != nil
  }

  /// Whether a pattern, in which `*` stands for any characters, fits the whole path.
  func matches(_ pattern: String) -> Bool {
    var pieces = pattern.split(separator: "*", omittingEmptySubsequences: false)
    var rest = Substring(path)
    guard rest.hasPrefix(pieces[0]) else { return false }
    rest = rest.dropFirst(pieces[0].count)
    guard pieces.count > 1 else { return rest.isEmpty }
    let last = pieces.removeLast()
    for piece in pieces.dropFirst() where !piece.isEmpty {
      guard let range = rest.range(of: piece) else { return false }
      rest = rest[range.upperBound...]
    }
    return rest.count >= last.count && rest.hasSuffix(last)
  }
}

/// The package as it lies on disk.
enum Repository {
  /// Its root: three folders above this file.
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// All readable text below the folders of the package, and beside them.
  static let files: [SourceFile] = {
    var files: [SourceFile] = []
    let manager = FileManager.default
    func add(_ path: String) {
      guard let text = try? String(contentsOf: root.appendingPathComponent(path), encoding: .utf8) else { return }
      files.append(SourceFile(path: path, text: text))
    }
    for folder in ["Sources", "Tests", "Benchmarks", "Fixtures", "Docs", ".ci"] {
      guard let below = manager.enumerator(atPath: root.appendingPathComponent(folder).path) else { continue }
      for case let path as String in below where textKinds.contains(URL(fileURLWithPath: path).pathExtension) {
        add(folder + "/" + path)
      }
    }
    for name in (try? manager.contentsOfDirectory(atPath: root.path)) ?? []
    where textKinds.contains(URL(fileURLWithPath: name).pathExtension) && !name.hasPrefix(".") {
      add(name)
    }
    return files.sorted { $0.path < $1.path }
  }()

  /// Endings that are read; the scripts have none.
  private static let textKinds: Set<String> = ["swift", "c", "h", "md", "py", "sh", "yml", "yaml", "modulemap", ""]
}

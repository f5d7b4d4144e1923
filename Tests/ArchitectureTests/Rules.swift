/// A rule that a file breaks.
struct Violation: CustomStringConvertible, Equatable {
  var path: String
  var line: Int
  var rule: String
  var description: String { "\(path):\(line): \(rule)" }
}

/// The rules: each is a function of files, so that it can be shown a planted one.
enum Rules {
  /// Every import points down the house, and no stage names a stage.
  static func imports(_ files: [SourceFile]) -> [Violation] {
    var violations: [Violation] = []
    var seen: [String: Set<String>] = [:]
    for file in files where file.isSwift {
      guard let module = file.module else { continue }
      guard let tier = House.tier(of: module) else {
        violations.append(Violation(path: file.path, line: 1, rule: "the module \(module) stands in no tier"))
        continue
      }
      for (name, line) in file.code!.imports where name != module {
        if let rule = brokenBy(importing: name, from: module, tier) {
          violations.append(Violation(path: file.path, line: line, rule: rule))
          continue
        }
        seen[module, default: []].insert(name)
        for (kind, most) in [(Tier.shim, tier.shimsMax), (.stage, tier.stagesMax)] {
          let count = seen[module]!.count { House.modules[$0] == kind }
          if House.modules[name] == kind, count > most {
            violations.append(
              Violation(path: file.path, line: line, rule: "\(module) imports more than \(most) \(kind)"))
          }
        }
      }
    }
    return violations
  }

  private static func brokenBy(importing name: String, from module: String, _ tier: Tier) -> String? {
    guard let imported = House.tier(of: name) else {
      return tier.system.contains(name) ? nil : "\(module) (\(tier)) may not import \(name)"
    }
    if name == House.allocationCounter {
      let mayCount = tier == .tests || tier == .testSupport || ["bench", "proof"].contains(module)
      return mayCount ? nil : "only tests and bench count allocations"
    }
    if tier == .stage, imported == .stage { return "the stage \(module) imports the stage \(name)" }
    if tier == .executable, imported == .testSupport, module != "proof" { return "only proof uses the tests' support" }
    // The tests of bench reach into it, and proof damages what fuzzers do; no other executable is imported.
    if imported == .executable {
      return tier == .tests || (module, name) == ("proof", "FuzzTargets") ? nil : "\(module) imports an executable"
    }
    return tier.sees.contains(imported) ? nil : "\(module) (\(tier)) may not see \(name) (\(imported))"
  }

  /// `unsafe` and pointer types stay in their places; tests are free.
  static func unsafePlaces(_ files: [SourceFile], allowed: [String] = UnsafePlaces.patterns) -> [Violation] {
    var violations: [Violation] = []
    for file in files where file.isSwift && !file.path.hasPrefix("Tests/") && file.module != nil {
      if allowed.contains(where: file.matches) { continue }
      for (word, line) in file.code!.words where isUnsafe(word) {
        violations.append(Violation(path: file.path, line: line, rule: "\(word) outside the listed places"))
      }
    }
    return violations
  }

  private static func isUnsafe(_ word: Substring) -> Bool {
    word == "unsafe" || word.hasPrefix("Unsafe") || word.hasPrefix("withUnsafe") || word.hasPrefix("unsafe")
      || word == "OpaquePointer" || word == "Unmanaged"
  }

  /// A file has one idea: at most 500 lines. What a protocol compiler writes is not read by anybody.
  static func length(_ files: [SourceFile]) -> [Violation] {
    files.filter { ($0.isSwift || $0.isC) && !$0.path.hasSuffix(".pb.swift") }.compactMap { file in
      let count = file.text.utf8.count { $0 == 10 }
      return count > 500 ? Violation(path: file.path, line: 501, rule: "\(count) lines, at most 500") : nil
    }
  }

  /// Nothing names a folder of one machine.
  static func absolutePaths(_ files: [SourceFile]) -> [Violation] {
    let folders = ["tmp", "work", "farm", "root", "home", "Users"]
    let suspects = files.filter { file in folders.contains { file.mentions("/\($0)/") } }
    return lines(of: suspects) { line in
      for folder in folders {
        var rest = line
        while let range = rest.firstRange(of: "/\(folder)/") {
          let before = rest[..<range.lowerBound].last
          let after = rest[range.upperBound...].first
          let starts = before.map { !($0.isLetter || $0.isNumber || "_./}".contains($0)) } ?? true
          if starts, let after, after.isLetter || after.isNumber { return "an absolute path of a machine" }
          rest = rest[range.upperBound...]
        }
      }
      return nil
    }
  }

  /// Nothing reaches for another registry at build or run time; the parts are joined here so that this file passes.
  static func forbiddenWords(_ files: [SourceFile]) -> [Violation] {
    let hosts = [
      ["pypi", "org"], ["pythonhosted", "org"], ["npmjs", "org"], ["npmjs", "com"], ["crates", "io"],
      ["rubygems", "org"],
      ["golang", "org/"], ["maven", "org"], ["huggingface", "co"], ["hub", "docker", "com"],
      ["conda", "anaconda", "org"],
    ].map { $0.joined(separator: ".") }
    let suspects = files.filter { file in hosts.contains(where: file.mentions) }
    return lines(of: suspects) { line in hosts.first { line.contains($0) }.map { "names the host \($0)" } }
  }

  /// Nothing is left open in what users build.
  static func openEnds(_ files: [SourceFile]) -> [Violation] {
    let marks = ["TO" + "DO", "FIX" + "ME", "X" + "XX"]
    let built = files.filter { $0.path.hasPrefix("Sources/") || $0.path.hasPrefix("Benchmarks/") }
    let suspects = built.filter { file in marks.contains(where: file.mentions) }
    return lines(of: suspects) { line in
      let words = line.split { !($0.isLetter || $0.isNumber || $0 == "_") }
      return marks.first { words.contains(Substring($0)) }.map { "left open: \($0)" }
    }
  }

  /// Every public declaration of the library says what it gives.
  static func docstrings(_ files: [SourceFile]) -> [Violation] {
    var violations: [Violation] = []
    for file in files where file.isSwift && file.path.hasPrefix("Sources/") && !file.path.hasPrefix("Sources/martlet/")
    {
      let source = file.text.split(separator: "\n", omittingEmptySubsequences: false)
      let code = file.code!.lines
      var isDocumented = false
      for (index, line) in source.enumerated() {
        let trimmed = line.drop { $0 == " " || $0 == "\t" }
        if trimmed.hasPrefix("///") {
          isDocumented = true
        } else if isPublicDeclaration(code[index]) {
          if !isDocumented {
            violations.append(
              Violation(path: file.path, line: index + 1, rule: "a public declaration without a docstring"))
          }
          isDocumented = false
        } else if !(trimmed.hasPrefix("@") || trimmed.hasPrefix("#if") || trimmed.hasPrefix("//")) {
          isDocumented = false
        }
      }
    }
    return violations
  }

  private static func isPublicDeclaration(_ line: Substring) -> Bool {
    let kinds: Set<Substring> = [
      "struct", "class", "enum", "actor", "protocol", "func", "var", "let", "init", "subscript", "typealias",
      "associatedtype",
      "macro",
    ]
    // Attributes with arguments, as in `@inline(__always)`, fall apart into words; what counts is their order.
    let words = line.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "@") }
    guard let place = words.firstIndex(where: { $0 == "public" || $0 == "open" }) else { return false }
    let before = words[..<place]
    guard before.isEmpty || before[0].hasPrefix("@") else { return false }
    guard before.allSatisfy({ !kinds.contains($0) && $0 != "import" }) else { return false }
    let after = words[(place + 1)...]
    guard let kind = after.firstIndex(where: kinds.contains) else { return false }
    return !after[..<kind].contains("import") && !after[..<kind].contains("extension")
  }

  /// No type has the name of its module, which would hide the module; and `package` is never specialised across targets.
  static func names(_ files: [SourceFile]) -> [Violation] {
    let types: Set<Substring> = ["struct", "class", "enum", "actor", "protocol", "typealias"]
    var violations: [Violation] = []
    for file in files where file.isSwift && file.path.hasPrefix("Sources/") {
      let words = file.code!.words
      for (word, next) in zip(words, words.dropFirst()) {
        if types.contains(word.word), String(next.word) == file.module {
          violations.append(Violation(path: file.path, line: next.line, rule: "a type has the name of its module"))
        }
        if word.word == "package", types.union(["func", "var", "let", "init"]).contains(next.word) {
          violations.append(Violation(path: file.path, line: word.line, rule: "package access: never specialised"))
        }
      }
    }
    return violations
  }

  private static func lines(of files: [SourceFile], rule: (Substring) -> String?) -> [Violation] {
    files.flatMap { file in
      file.text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { index, line in
        rule(line).map { Violation(path: file.path, line: index + 1, rule: $0) }
      }
    }
  }
}

import ModelImport
import Testing

// Goal: a specification with a key that nothing reads is refused, at whatever depth. Method: one misspelt key a place.
struct EnsembleSpecificationTests {
  static let whole = """
    {"name": "e", "members": [{"name": "a", "model": "a.martlet"}, {"name": "b", "model": "b.martlet"KEY0}],
     "meta": {"weights": [1, 1]KEY1}, "shares": {"meta": 0.5, "average": 0.5KEY2},
     "calibration": {"kind": "platt", "slope": 1, "intercept": 0KEY3}, "metadata": {"any": "thing"}KEY4}
    """

  static func text(_ key: Int?, _ member: String = "") -> [UInt8] {
    var text = whole
    for place in 0..<5 { text = text.replacing("KEY\(place)", with: place == key ? member : "") }
    return Array(text.utf8)
  }

  @Test func `a whole specification is read, with metadata of any keys`() throws {
    let specification = try EnsembleSpecification(json: Self.text(nil), source: "s.json")
    #expect(specification.members.map(\.name) == ["a", "b"] && specification.metadata["any"] == "thing")
    let required = try EnsembleSpecification(json: Self.text(0, #", "required": ["mid"]"#), source: "s.json")
    #expect(required.members[1].required == ["mid"])
  }

  @Test(arguments: [
    (0, "requried", "members.[1].requried"), (1, "bais", "meta.bais"), (2, "total", "shares.total"),
    (3, "slop", "calibration.slop"), (4, "member", "member"),
  ])
  func `a misspelt key is refused by its place`(key: Int, name: String, place: String) {
    let error = #expect(throws: ImportError.self) {
      try EnsembleSpecification(json: Self.text(key, ", \"\(name)\": 1"), source: "s.json")
    }
    #expect(error?.description.hasPrefix("s.json: \(place): expected one of the keys ") == true, "\(error as Any)")
  }
}

// How is one setting asked for?

import { Input, MultiSelect, NumberInput, Select, Text, TextArea, Toggle } from "@hubspot/ui-extensions";
import { isRecord } from "../shared/problem";
import type { SettingField } from "../shared/wire";

interface FieldProps {
  readonly field: SettingField;
  readonly value: unknown;
  /** Why the connector did not take it, or "". */
  readonly error: string;
  readonly isLocked: boolean;
  readonly onChange: (value: unknown) => void;
}

/** One setting, by its kind. A kind this page does not know is shown as it is, and not lost. */
export function Field(props: FieldProps) {
  const { field, value, error, isLocked, onChange } = props;
  const shared = {
    name: field.name,
    label: field.label,
    description: field.help,
    readOnly: isLocked,
    error: error !== "",
    validationMessage: error,
  };
  switch (kindOf(field, value)) {
    case "text":
      return <Input {...shared} value={said(value)} onInput={onChange} />;
    case "number":
      return <NumberInput {...shared} {...(typeof value === "number" ? { value } : {})} onChange={onChange} />;
    case "switch":
      return (
        <Toggle
          name={field.name}
          label={field.label}
          checked={value === true}
          readOnly={isLocked}
          onChange={onChange}
        />
      );
    case "choice":
      return <Select {...shared} value={said(value)} options={choices(field)} onChange={onChange} />;
    case "choices":
      return <MultiSelect {...shared} value={list(value)} options={choices(field)} onChange={onChange} />;
    case "list":
      return (
        <TextArea
          {...shared}
          description={`${field.help} One per line.`.trim()}
          value={list(value).join("\n")}
          onChange={(text) => onChange(lines(text))}
        />
      );
    case "map":
      return (
        <TextArea
          {...shared}
          description={`${field.help} One per line: name = value.`.trim()}
          value={pairs(value)}
          onChange={(text) => onChange(mapping(text, isRecord(value) ? value : {}))}
        />
      );
    default:
      return (
        <Text>
          {field.label}: {JSON.stringify(value ?? "")}
        </Text>
      );
  }
}

/** The kind to ask by: what is set already decides where a setting may be a list or a map; "" for neither. */
function kindOf({ kind, options }: SettingField, value: unknown): string {
  if (kind === "list" && isRecord(value)) return isFlat(value) ? "map" : "";
  if (kind === "list" && options.length > 0) return "choices";
  return kind === "map" && isRecord(value) && !isFlat(value) ? "" : kind;
}

/** Whether a map can be written as lines without losing anything. */
function isFlat(held: Record<string, unknown>): boolean {
  const isPlain = (each: unknown): boolean => typeof each === "string" && !/[,\n]/u.test(each);
  return Object.entries(held).every(
    ([name, each]) => !/[=\n]/u.test(name) && (Array.isArray(each) ? each : [each]).every(isPlain),
  );
}

function choices({ options }: SettingField): { label: string; value: string }[] {
  return options.map((option) => ({ label: option, value: option }));
}

function said(value: unknown): string {
  return value === null || value === undefined ? "" : String(value);
}

function list(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** `{"contact": ["mobilephone", "phone"]}` as "contact = mobilephone, phone". */
function pairs(value: unknown): string {
  if (!isRecord(value)) return "";
  return Object.entries(value)
    .map(([name, held]) => `${name} = ${Array.isArray(held) ? held.join(", ") : said(held)}`)
    .join("\n");
}

/** What `pairs` wrote, read again: a list stays one, and commas make one. A line without a name is left out. */
function mapping(text: string, before: Record<string, unknown>): Record<string, string | string[]> {
  const read = lines(text).map((line): [string, string | string[]] => {
    const [name = "", ...rest] = line.split("=");
    const key = name.trim();
    const parts = rest
      .join("=")
      .split(",")
      .map((part) => part.trim());
    const isList = parts.length > 1 || Array.isArray(before[key]);
    return [key, isList ? parts.filter((part) => part !== "") : (parts[0] ?? "")];
  });
  return Object.fromEntries(read.filter(([name]) => name !== ""));
}

function lines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
